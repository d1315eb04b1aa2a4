# frozen_string_literal: true

require "json"

# Money and accounts.
module Bank
  LIMIT = 10

  # An account.
  #
  # It has a balance.
  class Account < Base
    include Comparable
    attr_reader :balance

    def initialize(balance = 0)
      @balance = balance
    end

    # Puts money in.
    #
    # @param amount [Integer]
    def deposit(amount, *rest, note: nil, &block)
      add = lambda do |x|
        @balance += x
      end
      add.call(amount)
    end

    def <=>(other) = balance <=> other.balance

    def empty?
    end

    # Opens one.
    def self.open(path)
      new(JSON.parse(File.read(path)))
    end

    class << self
      def default
        new
      end
    end

    private def secret
      42
    end

    define_method(:dynamic) do |x|
      x
    end

    class Error < StandardError; end
  end

  module_function

  def helper(x)
    x
  end
end

class Net::HTTP::Client
  def get; end
end

=begin
A block comment.
=end
def top_level(a)
  a
end

SQUARE = ->(x) { x * x }

puts top_level(1)
