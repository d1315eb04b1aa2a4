// A counter with a limit.
`timescale 1ns/1ps

package limits;
  parameter int MAX = 10;

  // Cuts a number to the limit.
  function automatic int bounded(input int x);
    return x > MAX ? MAX : x;
  endfunction
endpackage

// Counts clock ticks up to a limit.
module counter #(parameter WIDTH = 8) (
  input wire clk,
  input wire reset,
  output reg [WIDTH-1:0] count
);
  // Counts on each rising edge.
  always @(posedge clk) begin
    if (reset) count <= 0;
    else count <= count + 1;
  end

  // Shows the count.
  task show(input integer times);
    $display("%d", count);
  endtask

  function [7:0] twice;
    input [7:0] x;
    twice = x * 2;
  endfunction
endmodule

interface bus(input logic clk);
  logic [7:0] data;
  modport master(output data);
endinterface

// A packet on the bus.
class Packet extends Base;
  rand bit [7:0] payload;

  function new(int size);
    this.size = size;
  endfunction

  task send();
    sent = sent + 1;
  endtask
endclass
