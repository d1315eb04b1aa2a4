; No more than four labels: an unbounded repetition takes time that explodes with their number.
(config_file (body (block . (identifier) @name . [(string_lit) (identifier)]? @name . [(string_lit) (identifier)]? @name . [(string_lit) (identifier)]? @name . [(string_lit) (identifier)]? @name . (block_start) @body) @struct))
