(config_file (body (block (identifier) @name [(string_lit) (identifier)]* @name (block_start) @body) @struct))
