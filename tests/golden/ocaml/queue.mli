(** Queues with a priority. *)

type 'a t
(** A queue of values. *)

val push : 'a -> 'a t -> 'a t
(** Adds a value in its place. *)

(** Takes the first value out. *)
val pop : 'a t -> ('a * 'a t) option

module Make (Order : sig type t end) : sig
  val empty : Order.t list
end

exception Empty of string
