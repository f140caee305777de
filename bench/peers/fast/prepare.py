"""Make the tables, a key and the contacts: `python -m bench.peers.fast.prepare TOKEN CONTACTS`."""

import hashlib
import os
import sys

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from bench.peers.fast.models import Base, Contact, Key


def main(token: str, contacts: int) -> None:
    url = os.environ["PEER_DATABASE_URL"].replace("postgresql:", "postgresql+psycopg:", 1)
    engine = create_engine(url)
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Key("bench", hashlib.sha256(token.encode()).hexdigest()))
        session.add_all(Contact(f"user-{n}") for n in range(contacts))
    engine.dispose()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
