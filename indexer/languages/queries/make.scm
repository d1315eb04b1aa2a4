(rule (targets) @name (#not-match? @name "^\\.[A-Z]") (recipe)? @body) @function
(define_directive name: (_) @name value: (_)? @body) @function
