"""Make the tables, a key and the contacts: `python -m bench.peers.drf.prepare TOKEN CONTACTS`."""

import hashlib
import os
import sys

import django
from django.core.management import call_command


def main(token: str, contacts: int) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "bench.peers.drf.settings")
    django.setup()
    from bench.peers.drf.models import Contact, Key  # noqa: PLC0415 (models need Django set up)

    call_command("migrate", run_syncdb=True, verbosity=0)
    Key.objects.create(name="bench", hash=hashlib.sha256(token.encode()).hexdigest())
    Contact.objects.bulk_create(Contact(custom_id=f"user-{n}") for n in range(contacts))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
