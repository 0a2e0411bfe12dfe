"""Speed as ratios in one run: ours against hand-written SQL or the plain ORM on the same database, and a large world
against a small one."""
