"""The tables: the same facts that Ordertrail keeps of a deal, for one tenant."""

from django.db import models


class Key(models.Model):
    name = models.CharField(max_length=100)
    hash = models.CharField(max_length=64, unique=True)


class Contact(models.Model):
    custom_id = models.CharField(max_length=100, unique=True)


class Product(models.Model):
    custom_id = models.CharField(max_length=100, unique=True)


class Deal(models.Model):
    custom_id = models.CharField(max_length=100, unique=True)
    name = models.CharField(max_length=200)
    contact = models.ForeignKey(Contact, models.PROTECT, null=True)
    stage = models.IntegerField(db_index=True)
    status = models.IntegerField()
    value = models.DecimalField(max_digits=18, decimal_places=2)
    currency = models.CharField(max_length=3)
    attributes = models.JSONField(default=dict)
    won_at = models.DateTimeField(null=True)
    lost_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField()
    updated_at = models.DateTimeField()


class OrderProduct(models.Model):
    deal = models.ForeignKey(Deal, models.CASCADE, related_name="order_products")
    position = models.IntegerField()
    product = models.ForeignKey(Product, models.PROTECT)
    product_custom_id = models.CharField(max_length=100)
    quantity = models.IntegerField()
    value = models.DecimalField(max_digits=18, decimal_places=2)
    currency = models.CharField(max_length=3)

    class Meta:
        ordering = ("position",)


class Journal(models.Model):
    at = models.DateTimeField()
    subject = models.CharField(max_length=20)
    subject_id = models.BigIntegerField()
    contact_id = models.BigIntegerField(null=True)
    is_new = models.BooleanField()
    changes = models.JSONField()
    author = models.CharField(max_length=100)

    class Meta:
        indexes = (
            models.Index(fields=("subject", "subject_id", "id")),
            models.Index(fields=("contact_id", "at", "id")),
        )
