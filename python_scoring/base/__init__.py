"""The ground floor, what every command uses: settings, the database, dbt, texts on the screen."""
