//! A ring buffer.
const std = @import("std");

/// Bytes that a small buffer holds.
pub const small = 64;

pub const Error = error{ Full, Empty };

/// A buffer that overwrites nothing.
pub const Ring = struct {
    data: []u8,
    head: usize = 0,

    const Self = @This();

    /// Makes a ring over memory of the caller.
    pub fn init(data: []u8) Self {
        return .{ .data = data };
    }

    /// Adds one byte.
    /// Fails when there is no room.
    pub fn push(self: *Self, byte: u8) Error!void {
        if (self.head == self.data.len) return Error.Full;
        self.data[self.head] = byte;
        self.head += 1;
    }

    const Inner = union(enum) {
        none,
        some: u8,

        fn isNone(self: Inner) bool {
            return self == .none;
        }
    };
};

/// Colours of a lamp.
pub const Colour = enum(u8) {
    red,
    green,

    pub fn next(self: Colour) Colour {
        return if (self == .red) .green else .red;
    }
};

/// A list of anything.
pub fn List(comptime T: type) type {
    return struct {
        items: []T,

        /// How many there are.
        pub fn len(self: @This()) usize {
            return self.items.len;
        }
    };
}

export fn add(a: c_int, b: c_int) c_int {
    return a + b;
}

extern "c" fn puts(text: [*:0]const u8) c_int;

test "push fails when full" {
    var memory: [1]u8 = undefined;
    var ring = Ring.init(&memory);
    try ring.push(1);
    try std.testing.expectError(Error.Full, ring.push(2));
}

comptime {
    _ = small;
}

pub fn main() !void {
    std.debug.print("{}\n", .{small});
}
