package ledger.app;

import java.math.BigInteger;

/** Checks account numbers. */
public final class IbanValidator {
    private IbanValidator() {}

    /** Whether the check digits of an account number are right (modulo 97). */
    public static boolean isValid(String iban) {
        String turned = iban.substring(4) + iban.substring(0, 4);
        StringBuilder digits = new StringBuilder();
        for (char sign : turned.toCharArray()) {
            digits.append(Character.getNumericValue(sign));
        }
        return new BigInteger(digits.toString()).mod(BigInteger.valueOf(97)).intValue() == 1;
    }
}
