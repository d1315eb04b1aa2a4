(struct_item name: (_) @name body: (_)? @body) @struct
(union_item name: (_) @name body: (_) @body) @struct
(enum_item name: (_) @name body: (_) @body) @enum
(trait_item name: (_) @name body: (_) @body) @trait
(impl_item trait: (_) @implements type: (_) @name body: (declaration_list) @body) @extension
(impl_item type: (_) @extended body: (declaration_list) @body) @extension
(mod_item name: (_) @name body: (declaration_list)) @scope
(function_item name: (_) @name body: (block) @body) @function
(macro_definition name: (_) @name ["{" "("] @body) @function
(let_declaration pattern: (identifier) @name value: (closure_expression body: (_) @body)) @lambda
(attribute_item) @attribute
(line_comment (inner_doc_comment_marker)) @doc
(block_comment (inner_doc_comment_marker)) @doc
((attribute_item (attribute) @_what) @test
 (#match? @_what "^(cfg\\((all\\()?test\\b|([a-z_]+::)*(test|bench|rstest|quickcheck|test_case)\\b)"))
