{-# LANGUAGE LambdaCase #-}
-- | Shapes and their areas.
module Data.Shape
  ( Shape (..)
  , area
  ) where

import qualified Data.Map as Map

-- | A shape in the plane.
data Shape
  = Circle Double        -- ^ by its radius
  | Rect Double Double
  deriving (Eq, Show)

-- | A name that is never empty.
newtype Name = Name { unName :: String }

type Table = Map.Map Name Shape

-- | Things that have an area.
class HasArea a where
  -- | The area in square metres.
  areaOf :: a -> Double
  areaOf _ = 0

  perimeter :: a -> Double

instance HasArea Shape where
  areaOf = area
  perimeter (Circle r) = 2 * pi * r
  perimeter (Rect w h) = 2 * (w + h)

-- | The area of a shape.
--
-- A circle is by its radius.
area :: Shape -> Double
area (Circle r) = pi * r * r
area (Rect w h)
  | w < 0 = 0
  | otherwise = product' [w, h]
  where
    product' = foldr times 1
    times x y
      | x == 0 = 0
      | otherwise = x * y

{- | Looks a shape up.
-}
find :: Name -> Table -> Maybe Shape
find name table = Map.lookup name table

infixl 6 <+>

-- | Puts two shapes side by side.
(<+>) :: Shape -> Shape -> Shape
Rect a b <+> Rect c d = Rect (a + c) (max b d)
a <+> _ = a

origin, far :: (Double, Double)
origin = (0, 0)
far = (1e9, 1e9)

describe = \case
  Circle _ -> "round"
  Rect {} -> "square"

main :: IO ()
main = do
  print (area (Circle 1))
  mapM_ print [Circle 2]

-- | Doubles a number.
double :: Int -> Int
{-# INLINE double #-}
double x = x * 2
