"""Deals with Django REST framework and Django's ORM, served by gunicorn's threads.

What a good team writes: serializers in and out, the rows of one order in one transaction,
connections that stay, keys remembered for a moment, nothing installed that is not used.
"""
