defmodule Shop.Cart do
  @moduledoc """
  A cart that holds items until they are paid.
  """

  use GenServer
  alias Shop.Item

  @max_items 20

  @typedoc "An item and how many of it"
  @type line :: {Item.t(), pos_integer()}

  defstruct [:owner, lines: []]

  @doc """
  Adds an item to the cart.

  ## Examples

      iex> Shop.Cart.add(cart, item, 2)
  """
  @spec add(t(), Item.t(), pos_integer()) :: {:ok, t()} | {:error, :full}
  def add(cart, item, count \\ 1)

  def add(%__MODULE__{lines: lines}, _item, _count) when length(lines) >= @max_items do
    {:error, :full}
  end

  def add(cart, item, count) do
    {:ok, %{cart | lines: [{item, count} | cart.lines]}}
  end

  @doc "The sum of all prices."
  def total(cart), do: Enum.reduce(cart.lines, 0, &price/2)

  # Adds the price of one line to the sum.
  defp price({item, count}, sum) do
    sum + item.price * count
  end

  @impl true
  def handle_call(:total, _from, cart) do
    {:reply, total(cart), cart}
  end

  defmacro unless_empty(cart, do: block) do
    quote do
      if unquote(cart).lines != [], do: unquote(block)
    end
  end

  defguard is_big(cart) when length(cart.lines) > 10

  def left + right, do: merge(left, right)

  defmodule Line do
    @moduledoc false
    def format({item, count}), do: "#{count} x #{item.name}"
  end
end

defprotocol Shop.Priced do
  @doc "The price of a thing."
  def price(thing)
end

defimpl Shop.Priced, for: Shop.Cart do
  def price(cart), do: Shop.Cart.total(cart)
end

IO.puts("loaded")
