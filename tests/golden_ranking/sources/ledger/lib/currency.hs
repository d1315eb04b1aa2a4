module Currency where

import qualified Data.Map as Map

-- | Rates against the euro.
type Rates = Map.Map String Rational

-- | Change an amount from one currency into another.
convert :: Rates -> String -> String -> Rational -> Maybe Rational
convert rates from to amount = do
  source <- Map.lookup from rates
  target <- Map.lookup to rates
  pure (amount / source * target)

-- | Round to the smallest coin.
roundToCents :: Rational -> Rational
roundToCents amount = fromIntegral (round (amount * 100) :: Integer) / 100
