"""One file per kind of rule; `pipeline.alerts.kinds` lists them."""
