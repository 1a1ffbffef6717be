"""Many cases: jobs, records of what came of them, executors, table, report."""
