"""«Активные задачи»."""

from django.urls import path

from callcenter.assignments import views

app_name = "assignments"
urlpatterns = [
    path("tasks/", views.active, name="active"),
    path("tasks/new/", views.new, name="new"),
    path("tasks/<int:pk>/", views.task, name="task"),
    path("tasks/<int:pk>/take/", views.take, name="take"),
    path("tasks/<int:pk>/say/", views.say, name="say"),
    path("tasks/<int:pk>/hand-over/", views.hand_over, name="hand_over"),
    path("tasks/<int:pk>/close/", views.close, name="close"),
    path("tasks/<int:pk>/move/", views.move, name="move"),
    path("tasks/waiting/<int:pk>/", views.waiting, name="waiting"),
    path("tasks/waiting/<int:pk>/take/", views.waiting_take, name="waiting_take"),
    path("tasks/waiting/<int:pk>/close/", views.waiting_close, name="waiting_close"),
    path("tasks/waiting/<int:pk>/move/", views.waiting_move, name="waiting_move"),
]
