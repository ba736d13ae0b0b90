"""The shop's tables."""

from django.db import models


class Order(models.Model):
    """An order of a customer."""

    number = models.CharField(max_length=50, primary_key=True)
    email = models.EmailField()
    placed_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        """As in the other examples."""

        db_table = "orders"

    def __str__(self) -> str:
        """Its number."""
        return str(self.number)
