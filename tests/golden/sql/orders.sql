-- Saves an order.
CREATE PROCEDURE [dbo].[SaveOrder]
    @id INT,
    @name NVARCHAR(50) = NULL
AS
BEGIN
    UPDATE orders SET name = @name WHERE id = @id;
END
GO

/* Adds tax. */
CREATE FUNCTION dbo.WithTax (@price INT)
RETURNS INT
AS
BEGIN
    RETURN @price * 2;
END;
GO
