"""What observations answer, as methods: tables, statistics, optima, figures."""
