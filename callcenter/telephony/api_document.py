"""The part of the OpenAPI document that describes webhooks of cloud PBXs."""

from typing import Any, Final

from callcenter.lib.api import errors

_line = {"type": ["string", "integer", "null"], "maxLength": 200}

SCHEMAS: Final[dict[str, Any]] = {
    "CallNotice": {
        "type": "object",
        "required": ["vendor", "event", "session"],
        "properties": {
            "vendor": {"type": "string", "enum": ["uis"]},
            "secret": {
                "type": "string",
                "maxLength": 200,
                "description": "The source's key, where no header can be set.",
            },
            "event": {**_line, "description": "{{notification_mnemonic}}"},
            "session": {**_line, "description": "{{call_session_id}}"},
            "timestamp": {
                "type": ["string", "number", "null"],
                "description": "{{notification_timestamp}}, unix seconds",
            },
            "time": {**_line, "description": "{{notification_time}}, in `zone`"},
            "zone": {"type": "string", "maxLength": 40, "default": "Europe/Moscow"},
            "start_time": {**_line, "description": "{{start_time}}, in `zone`"},
            "direction": {**_line, "description": "{{direction}}: in, out"},
            "contact": {**_line, "description": "{{contact_phone_number}}"},
            "line": {**_line, "description": "{{virtual_phone_number}}"},
            "employee_phone": {**_line, "description": "{{employee_phone_number}}"},
            "talk_time": {
                "type": ["integer", "string", "null"],
                "description": "{{talk_time_duration}}, seconds",
            },
            "file_link": {
                "type": ["string", "null"],
                "maxLength": 500,
                "description": "{{file_link}}",
            },
            "file_duration": {
                "type": ["number", "string", "null"],
                "description": "{{file_duration}}, seconds",
            },
        },
    }
}

PATHS: Final[dict[str, Any]] = {
    "/api/v1/calls": {
        "post": {
            "summary": "A notice of a cloud PBX about one call",
            "description": (
                "At least once and in any order: the same notice again changes nothing, notices of one session make one"
                " call of the contact history."
            ),
            "requestBody": {
                "required": True,
                "content": {
                    "application/json": {"schema": {"$ref": "#/components/schemas/CallNotice"}}
                },
            },
            "responses": {
                "200": {
                    "description": "Kept.",
                    "content": {
                        "application/json": {
                            "schema": {
                                "type": "object",
                                "required": ["notice", "session"],
                                "properties": {
                                    "notice": {"type": "integer"},
                                    "session": {"type": "string"},
                                },
                            }
                        }
                    },
                },
                **errors(400, 401, 413, 422),
            },
        }
    }
}
