(contract_declaration name: (_) @name body: (_) @body) @class
(interface_declaration name: (_) @name body: (_) @body) @interface
(library_declaration name: (_) @name body: (_) @body) @class
(struct_declaration name: (_) @name body: (_) @body) @struct
(enum_declaration name: (_) @name body: (_) @body) @enum
(function_definition name: (_) @name body: (_) @body) @function
(modifier_definition name: (_) @name body: (_) @body) @method
(constructor_definition "constructor" @name body: (_) @body) @constructor
(fallback_receive_definition ["fallback" "receive"] @name body: (_) @body) @method
