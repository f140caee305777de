"""What the shop itself keeps of its orders."""

from django.db import models


class Order(models.Model):
    """One order of a customer."""

    email = models.EmailField()
    name = models.CharField(max_length=100)
    currency = models.CharField(max_length=3, default="EUR")
    placed_at = models.DateTimeField(auto_now_add=True)
    shipped_at = models.DateTimeField(null=True)

    @property
    def number(self) -> str:
        """The order's number, as the customer is told."""
        return f"ORD-{self.pk}"


class OrderLine(models.Model):
    """A position of an order."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    sku = models.CharField(max_length=64)
    title = models.CharField(max_length=200)
    quantity = models.PositiveIntegerField()
    unit_price = models.DecimalField(max_digits=12, decimal_places=2)
