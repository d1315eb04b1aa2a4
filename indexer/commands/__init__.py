"""What the subcommands of `codewhere` do; `indexer.cli` holds their options."""
