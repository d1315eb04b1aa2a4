# Monthly statements of an account.
class Statement
  def initialize(account, month)
    @account = account
    @month = month
  end

  # The bookings of the month as lines of text, oldest first.
  def to_text
    bookings = @account.bookings.select { |booking| booking.date.month == @month }
    bookings.sort_by(&:date).map { |booking| format("%s %10.2f", booking.date, booking.amount) }.join("\n")
  end

  # Interest for the month by the daily balances.
  def interest(rate)
    @account.daily_balances(@month).sum { |balance| balance * rate / 365 }
  end
end
