/*
 * Copyright 2020 Example
 */
package example.tree

import scala.collection.mutable

/** A tree of values.
  *
  * @tparam A the values
  */
sealed abstract class Tree[+A](val size: Int) extends Product with Serializable {
  val limit = 10

  /** The values in order. */
  @tailrec
  final def toList[B >: A](implicit ord: Ordering[B]): List[B] = {
    def walk(tree: Tree[B]): List[B] = tree match {
      case _ => Nil
    }
    val twice = (x: Int) => {
      x * 2
    }
    walk(this)
  }

  def isEmpty: Boolean

  def +(that: Int): Int = size + that
}

object Tree {
  case object Leaf extends Tree[Nothing](0)
  case class Node[A](left: Tree[A], value: A) extends Tree[A](1)

  def apply[A](values: A*): Tree[A] = values.foldLeft(empty)(_ + _)
  val identity = (x: Int) => x
}

trait Show[A] {
  def show(a: A): String
  def twice(a: A): String = show(a) * 2
}

class Empty

enum Color(val rgb: Int):
  case Red extends Color(1)
  case Green extends Color(2)

  def hex: String = rgb.toHexString

given intShow: Show[Int] with
  def show(a: Int) = a.toString

extension (s: String)
  def shout: String = s.toUpperCase + "!"

/** Numbers of shades. */
extension [A](shades: List[A])
  /** The darkest. */
  def darkest: A = shades.head
  def others: List[A] =
    shades.tail

given Ordering[Color] with
  def compare(a: Color, b: Color): Int = a.rgb - b.rgb

/** Pairs are shown by parts. */
given [A: Show] => Show[List[A]] = Show.all

/** Makes colours. */
class Palette(size: Int):
  /** An empty one. */
  def this() = this(0)

  /** The first colour. */
  def first: Color =
    if size > 0 then
      Color.Red
    else
      Color.Green

/** What is shared. */
package object shades {
  val order: Ordering[Int] = new Ordering[Int] {
    def compare(a: Int, b: Int): Int = a - b
  }
}

/** Starts. */
@main def run(args: String*): Unit =
  println(args.size)

type Names = List[String]
