"""People and their shifts. Log-in, log-out and the profile have no prefix: Django's own settings
name them.
"""

from django.urls import path

from callcenter.staff.views import lists, people, shifts

app_name = "staff"
urlpatterns = [
    path("people/", people.people, name="people"),
    path("people/new/", people.new, name="person_new"),
    path("people/<int:pk>/", people.person, name="person"),
    path("people/<int:pk>/password/", people.password, name="person_password"),
    path("people/<int:pk>/dismiss/", people.dismiss, name="person_dismiss"),
    path("people/<int:pk>/return/", people.bring_back, name="person_return"),
    path("lists/columns/", lists.choose_columns, name="list_columns"),
    path("lists/views/", lists.save_view, name="list_view_save"),
    path("lists/views/<int:pk>/delete/", lists.delete_view, name="list_view_delete"),
    path("shifts/", shifts.shifts, name="shifts"),
    path("shifts/paint/", shifts.paint, name="shift_paint"),
    path("shifts/copy/", shifts.copy, name="shift_copy"),
]
