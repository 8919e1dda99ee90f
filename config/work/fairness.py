"""The order in which waiting rows are claimed: owners take turns, and of one owner the oldest row comes first."""

from __future__ import annotations

from typing import Any

_CLAIMED = """status = '{}', attempt = attempt + 1, lease_expires_at = statement_timestamp() + %(lease)s,
            heartbeat_at = statement_timestamp(), updated_at = statement_timestamp()"""


def ranked(table: str, *, waiting: str, running: str) -> str:
    """Return a query of all rows that wait: (id, job_id, lane, owner_id, available_at, turn).

    `turn` is the row's place among those of its owner, and the owner's running rows: whoever has the lowest turn is
    next, then whoever is due longest. Every lane is a queue of its own. The statuses are constants of a model.
    """
    return f"""
        SELECT id, job_id, lane, owner_id, available_at, place + coalesce(running, 0) AS turn
        FROM (
            SELECT id, job_id, lane, owner_id, available_at,
                row_number() OVER (PARTITION BY lane, owner_id ORDER BY available_at, id) AS place
            FROM {table} WHERE status = '{waiting}'
        ) AS line
        LEFT JOIN (
            SELECT lane, owner_id, count(*) AS running
            FROM {table} WHERE status = '{running}' GROUP BY lane, owner_id
        ) AS busy USING (lane, owner_id)"""  # our tables and constants  # nosec B608


def claim_next_in_line(table: str, *, running: str, **line: Any) -> str:
    """Return a statement that claims the row that `next_in_line` finds, for `%(lease)s`, and gives it back; it writes
    what `WorkRow._claimed` says."""
    return f"""
        WITH next AS MATERIALIZED ({next_in_line(table, running=running, **line)})
        UPDATE {table} AS claimed SET {_CLAIMED.format(running)}
        FROM next WHERE claimed.id = next.id RETURNING claimed.*"""  # our tables and constants  # nosec B608


def claim_due(table: str, *, waiting: str, running: str) -> str:
    """Return a statement that claims up to `%(limit)s` rows due in `%(lane)s`, of any owners, those due longest first,
    as `claim_next_in_line` claims one: for a lane in which nobody's own work waits for turns."""
    return f"""
        WITH due AS MATERIALIZED (
            SELECT id FROM {table} WHERE status = '{waiting}' AND lane = %(lane)s
            AND available_at <= statement_timestamp() ORDER BY available_at, id LIMIT %(limit)s FOR UPDATE SKIP LOCKED
        )
        UPDATE {table} AS claimed SET {_CLAIMED.format(running)}
        FROM due WHERE claimed.id = due.id RETURNING claimed.*"""  # our tables and constants  # nosec B608


def next_in_line(
    table: str, *, waiting: str, running: str, at_once: int, workers: str, alive_seconds: int
) -> str:
    """Return a query that locks the row whose turn it is, of those due in `%(lane)s`, and gives its id.

    Rows that others have locked are passed over; `at_once` claims in the same moment are served. It jumps from owner
    to owner in the first index of `work_indexes` (https://wiki.postgresql.org/wiki/Loose_indexscan), so that its
    time grows with the owners who wait, not with their rows.

    An owner runs at most half of the lane's threads, rounded up; so that of two or more one is left for others. Those
    threads stand in the table `workers`, as in `Worker.lanes`, and count while their process is alive; before the
    first heartbeat of a worker nothing is known of them, and no owner is passed over.
    """
    rows = f"SELECT {{}} FROM {table} WHERE status = '{waiting}' AND lane = %(lane)s"  # nosec B608
    return f"""
        WITH RECURSIVE owners AS (
            ({rows.format("owner_id")} ORDER BY owner_id LIMIT 1)
            UNION ALL
            SELECT ({rows.format("owner_id")} AND owner_id > owners.owner_id ORDER BY owner_id LIMIT 1)
            FROM owners WHERE owners.owner_id IS NOT NULL
        ), busy AS (
            SELECT owner_id, count(*) AS running
            FROM {table} WHERE status = '{running}' AND lane = %(lane)s GROUP BY owner_id
        ), lane AS (
            SELECT (count(*) + 1) / 2 AS share FROM {workers} CROSS JOIN unnest(lanes) AS thread
            WHERE thread = %(lane)s AND heartbeat_at > statement_timestamp() - interval '{alive_seconds} seconds'
            HAVING count(*) > 0
        ), line AS (
            SELECT due.id, due.available_at, coalesce(busy.running, 0)
                + row_number() OVER (PARTITION BY owners.owner_id ORDER BY due.available_at, due.id) AS turn
            FROM owners LEFT JOIN busy USING (owner_id) CROSS JOIN LATERAL (
                {rows.format("id, available_at")} AND owner_id = owners.owner_id
                AND available_at <= statement_timestamp() ORDER BY available_at, id LIMIT {at_once}
            ) AS due
            ORDER BY turn, due.available_at, due.id LIMIT {at_once}
        )
        SELECT row.id FROM line JOIN {table} AS row USING (id)
        WHERE row.status = '{waiting}' AND line.turn <= coalesce((SELECT share FROM lane), line.turn)
        ORDER BY line.turn, line.available_at, row.id LIMIT 1 FOR UPDATE OF row SKIP LOCKED"""  # nosec B608
