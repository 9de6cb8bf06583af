# That of dbt-mysql, which does the work.
version = "1.7.0"
