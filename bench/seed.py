"""Writes users, keys, endpoints and models straight into DeepPool's SQLite file."""

import dataclasses
import hashlib
import json
import sqlite3
import time

# Everything that is held for a request is there, and none of it ever runs out.
LIMITS = {"rate_limit_rpm": 10**9, "rate_limit_tpm": 10**12, "quota_total": 10**15}
BALANCE = 10**17  # units of 10^-10 yuan
PRICES = [{"max_input_tokens": 0, "input_price": "1.7", "output_price": "13.9"}]


@dataclasses.dataclass
class Fill:
    """Rows that nobody calls, for the start-up row."""
    models: int = 0
    keys: int = 0


def write(path, key_hash, upstreams, models, fill):
    """`upstreams`: prefix of model names -> base URL; each model exists once per prefix."""
    now = int(time.time() * 1000)
    db = sqlite3.connect(path)
    with db:
        user = insert(db, "users", username="bench", password_hash="!", created_at=now,
                      updated_at=now)
        add_keys(db, user, [key_hash] + [fill_hash(i) for i in range(fill.keys)], now)
        insert(db, "user_wallets", user_id=user, posted=BALANCE, updated_at=now)
        for prefix, url in upstreams.items():
            endpoint = insert(db, "model_endpoints", name=f"bench {prefix}", provider_type="custom",
                              endpoint=url, created_at=now, updated_at=now)
            for model in models:
                add_model(db, prefix + model, endpoint, now)
        for i in range(fill.models):
            add_model(db, f"filler-{i}", endpoint, now)
        db.execute("UPDATE config_version SET version = version + 1")
    db.close()


def insert(db, table, **row):
    names = ", ".join(row)
    marks = ", ".join("?" * len(row))
    cursor = db.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(row.values()))
    return cursor.lastrowid


def fill_hash(i):
    return hashlib.sha256(f"filler {i}".encode()).digest()


def add_keys(db, user, hashes, now):
    db.executemany(
        "INSERT INTO api_keys (user_id, name, key_hash, key_prefix, key_sealed, allowed_models, "
        "rate_limit_rpm, rate_limit_tpm, quota_total, created_at, updated_at) "
        "VALUES (?, 'bench', ?, 'dp-bench', x'00', '[]', ?, ?, ?, ?, ?)",
        [(user, h, *LIMITS.values(), now, now) for h in hashes])


def add_model(db, name, endpoint, now):
    model = insert(db, "model_registry", model_name=name, vendor_type="provider", child_models="[]",
                   routing_policy="", pricing_tiers=json.dumps(PRICES), contributor_tiers="[]", tags="[]",
                   supported_engines="[]", created_at=now, updated_at=now)
    insert(db, "model_endpoint_links", model_id=model, endpoint_id=endpoint, position=0)
