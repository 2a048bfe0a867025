# The production image: web, workers, timers and the robot run from it with different commands (docker-compose.yml).
ARG PYTHON=3.11
ARG NODE=24

FROM node:${NODE}-slim AS assets
WORKDIR /build
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --ignore-scripts --no-audit --no-fund

FROM python:${PYTHON}-slim AS packages
WORKDIR /build
RUN python -m venv /opt/venv
COPY requirements/base.txt requirements/base.txt
RUN /opt/venv/bin/pip install --no-cache-dir --require-hashes -r requirements/base.txt
COPY . .
COPY --from=assets /build/node_modules node_modules
# Values that settings ask for and that collecting static files does not use; none of them is in the final image.
RUN SECRET_KEY=collecting ALLOWED_HOSTS=collecting PUBLIC_URL=https://collecting \
    DATABASE_URL=postgres://collecting@127.0.0.1/collecting REDIS_URL=redis://127.0.0.1/0 \
    /opt/venv/bin/python manage.py collectstatic --noinput \
    && rm -rf node_modules tests benchmarks

FROM python:${PYTHON}-slim
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /nonexistent dozvon \
    && install -d -o dozvon -g dozvon /srv/files
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=callcenter.settings FILES_DIR=/srv/files
WORKDIR /srv/dozvon
COPY --from=packages /opt/venv /opt/venv
COPY --from=packages /build .
USER dozvon
EXPOSE 8000
CMD ["gunicorn", "callcenter.wsgi", "--bind", "0.0.0.0:8000", "--workers", "3", "--worker-class", "gthread", \
     "--threads", "8", "--timeout", "60", "--graceful-timeout", "20", "--worker-tmp-dir", "/dev/shm", "--no-control-socket"]
