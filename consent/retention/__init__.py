"""Retention: the runner of every scheduled job and its record; rules, plans and holds follow with the rights issue."""
