"""Addresses of contacts: the API of sources, «Добавить», recordings, settings."""

from django.urls import path

from callcenter.contacts.views import api, cards, dictionaries

app_name = "contacts"
urlpatterns = [
    path("api/v1/interactions", api.interactions, name="api_interactions"),
    path("contacts/add/", cards.add, name="add"),
    path("contacts/<int:pk>/whose/", cards.whose, name="whose"),
    path("contacts/interaction/<int:pk>/comment/", cards.comment, name="comment"),
    path("contacts/interaction/<int:pk>/handle/", cards.handle, name="handle"),
    path("contacts/interaction/<int:pk>/delete/", cards.delete_comment, name="delete_comment"),
    path("contacts/interaction/<int:pk>/channel/", cards.show_channel_rules, name="channel_rules"),
    path("contacts/interaction/<int:pk>/chat/", cards.chat, name="chat"),
    path("contacts/recording/<int:pk>/", cards.sound, name="sound"),
    path("contacts/recording/<int:pk>/transcript/", cards.transcript, name="transcript"),
    path("settings/contacts/keys/", dictionaries.keys, name="keys"),
    path("settings/contacts/keys/<int:pk>/revoke/", dictionaries.revoke, name="revoke_key"),
    path("settings/contacts/rules/", dictionaries.policies, name="policies"),
    path("settings/contacts/rules/<int:pk>/", dictionaries.policies, name="policy"),
    path("settings/contacts/recount/", dictionaries.recount, name="recount"),
    path("settings/contacts/topics/", dictionaries.dictionary, {"slug": "topics"}, name="topics"),
    path(
        "settings/contacts/reasons/", dictionaries.dictionary, {"slug": "reasons"}, name="reasons"
    ),
    path(
        "settings/contacts/channels/",
        dictionaries.dictionary,
        {"slug": "channels"},
        name="channels",
    ),
    path(
        "settings/contacts/channel-rules/",
        dictionaries.dictionary,
        {"slug": "channel_rules"},
        name="rules",
    ),
    path(
        "settings/contacts/numbers/", dictionaries.dictionary, {"slug": "numbers"}, name="numbers"
    ),
    path("settings/contacts/<slug:slug>/list/", dictionaries.dictionary, name="dictionary"),
    path("settings/contacts/<slug:slug>/<int:pk>/", dictionaries.dictionary, name="dictionary_row"),
    path(
        "settings/contacts/<slug:slug>/<int:pk>/delete/",
        dictionaries.delete_row,
        name="dictionary_delete",
    ),
]
