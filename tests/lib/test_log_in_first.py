"""A request without a log-in: where the log-in leads back to."""

import pytest
from django.test import Client

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    ("method", "headers", "back"),
    [
        ("get", {}, "/tasks/new/"),
        ("get", {"HTTP_REFERER": "http://testserver/journals/"}, "/tasks/new/"),
        (
            "post",
            {"HTTP_REFERER": "http://testserver/journals/7/?call=out"},
            "/journals/7/%3Fcall%3Dout",
        ),
        ("post", {"HTTP_REFERER": "https://elsewhere.example/journals/"}, "/tasks/new/"),
        ("post", {}, "/tasks/new/"),
    ],
)
def test_a_form_leads_back_to_the_page_it_stood_on(
    method: str, headers: dict[str, str], back: str, client: Client
) -> None:
    answer = getattr(client, method)("/tasks/new/", **headers)
    assert (answer.status_code, answer.headers["Location"]) == (302, f"/login/?next={back}")


def test_a_part_of_a_page_leads_back_to_the_page(client: Client) -> None:
    answer = client.get(
        "/telephony/phone/",
        HTTP_HX_REQUEST="true",
        HTTP_HX_CURRENT_URL="http://testserver/journals/?page=2",
    )
    assert answer.headers["HX-Redirect"] == "/login/?next=/journals/%3Fpage%3D2"
