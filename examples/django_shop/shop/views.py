"""Taking orders."""

import json
from pathlib import Path

from ajo_producers import Campaigns, outbox
from django.db import connection, transaction
from django.http import HttpRequest, JsonResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from shop.models import Order

campaigns = Campaigns.load(Path(__file__).parents[2] / "campaigns")


class PaymentRefusedError(Exception):
    """The customer's bank says no."""


def charge(card: str) -> None:
    """Stands for what may fail after everything was written."""
    if card == "expired":
        raise PaymentRefusedError


@csrf_exempt
@require_POST
def place_order(request: HttpRequest) -> JsonResponse:
    """Take an order."""
    asked = json.loads(request.body)
    try:
        with transaction.atomic():
            order = Order.objects.create(number=asked["number"], email=asked["email"])
            trigger = campaigns["order-shipped"].trigger(
                to=order.email, context={"orderId": order.number}, occurred_at=order.placed_at
            )
            outbox.add(connection, trigger)
            charge(asked["card"])  # if it raises, there is no order, and nobody gets a message
    except PaymentRefusedError:
        return JsonResponse({"error": "the card was refused"}, status=402)
    return JsonResponse({"number": order.number}, status=201)
