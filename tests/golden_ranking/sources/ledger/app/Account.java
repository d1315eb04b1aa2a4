package ledger.app;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;

/** A bank account with its bookings. */
public class Account {
    private final String iban;
    private final List<Booking> bookings = new ArrayList<>();

    public Account(String iban) {
        this.iban = iban;
    }

    /** What is on the account after all bookings. */
    public BigDecimal balance() {
        return bookings.stream().map(Booking::amount).reduce(BigDecimal.ZERO, BigDecimal::add);
    }

    /**
     * Move money to another account.
     *
     * @throws InsufficientFunds when the account would go below zero
     */
    public void transfer(Account target, BigDecimal amount) {
        if (balance().compareTo(amount) < 0) {
            throw new InsufficientFunds(iban);
        }
        bookings.add(new Booking(amount.negate()));
        target.bookings.add(new Booking(amount));
    }
}
