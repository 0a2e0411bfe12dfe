"""Import of contacts and opt-ins: a file → rows → answers, one answer to one purpose a row (RULES C1, C4, O11)."""
