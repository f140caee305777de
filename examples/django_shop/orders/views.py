"""The shop's pages, which speak JSON here to stay short."""

import json

from django.http import HttpRequest, JsonResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from orders import services
from orders.models import Order
from orders.tracking import tracker


@csrf_exempt
@require_POST
def place(request: HttpRequest) -> JsonResponse:
    """Place the order that the body describes."""
    said = json.loads(request.body)
    order = services.place(tracker(), said["email"], said["name"], said["lines"])
    return JsonResponse({"number": order.number}, status=201)


@csrf_exempt
@require_POST
def ship(request: HttpRequest, number: int) -> JsonResponse:
    """Ship an order."""
    order = get_object_or_404(Order, pk=number)
    services.ship(tracker(), order)
    return JsonResponse({"number": order.number})


@csrf_exempt
@require_POST
def take_back(request: HttpRequest, number: int) -> JsonResponse:
    """Take back the lines that the body names, under the id of the refund."""
    said = json.loads(request.body)
    order = get_object_or_404(Order, pk=number)
    services.take_back(tracker(), order, said["lines"], said["refund_id"])
    return JsonResponse({"number": order.number})
