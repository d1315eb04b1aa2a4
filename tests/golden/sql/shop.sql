-- Schema of the shop.
SET search_path = shop;

-- People who buy.
CREATE TABLE customers (
    id serial PRIMARY KEY,
    name text NOT NULL
);

CREATE INDEX customers_name ON customers (name);

/* What every customer has spent. */
CREATE OR REPLACE VIEW shop.spent AS
SELECT customers.id, sum(orders.price) AS total
FROM customers JOIN orders ON orders.customer = customers.id
GROUP BY customers.id;

-- Adds an order and returns its number.
CREATE OR REPLACE FUNCTION shop.add_order(customer integer, price numeric)
RETURNS integer AS $$
DECLARE
    result integer;
BEGIN
    INSERT INTO orders (customer, price) VALUES (customer, price) RETURNING id INTO result;
    RETURN result;
END;
$$ LANGUAGE plpgsql;

CREATE TRIGGER orders_changed AFTER UPDATE ON orders
FOR EACH ROW EXECUTE FUNCTION shop.touch();

CREATE TYPE shop.colour AS ENUM ('red', 'green');

-- Everything that is late.
SELECT * FROM orders WHERE due < now();

INSERT INTO customers (name) VALUES ('a'), ('b');

-- Closes what was paid.
CREATE OR REPLACE PROCEDURE shop."close orders"(until date)
LANGUAGE plpgsql
AS $body$
BEGIN
    FOR n IN SELECT id FROM orders LOOP
        IF n > 0 THEN
            RAISE NOTICE 'closed %', $$n$$;
        END IF;
        COMMIT;
    END LOOP;
END;
$body$;

/* Doubles. */
CREATE FUNCTION double(n integer) RETURNS integer AS 'SELECT 2 * n;' LANGUAGE SQL;
