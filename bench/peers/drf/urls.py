"""The one address."""

from django.urls import path

from bench.peers.drf.views import UpdateOrCreate

urlpatterns = [path("api/public/deals/update_or_create/", UpdateOrCreate.as_view())]
