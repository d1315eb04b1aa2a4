(** Queues with a priority. *)

open Printf

exception Empty of string

(** One entry of a queue. *)
type 'a entry = { value : 'a; priority : int }

type colour = Red | Green

(** Compares two entries by priority. *)
let compare_entries a b = compare a.priority b.priority

let rec even n = n = 0 || odd (n - 1)
and odd n = n <> 0 && even (n - 1)

module type ORDERED = sig
  type t

  (** A total order. *)
  val compare : t -> t -> int
end

(** A queue over any ordered type. *)
module Make (Order : ORDERED) = struct
  type t = Order.t list

  let empty = []

  (** Adds a value in its place. *)
  let push value queue =
    let rec insert = function
      | [] -> [ value ]
      | head :: tail when Order.compare head value <= 0 -> head :: insert tail
      | rest -> value :: rest
    in
    insert queue

  let pop = function
    | [] -> raise (Empty "queue")
    | head :: tail -> (head, tail)
end

(** Counts how often it is called. *)
class counter start =
  object (self)
    val mutable count = start

    (** Adds one. *)
    method bump = count <- count + 1

    method private reset () = count <- 0
  end

let ( >>= ) option f = match option with None -> None | Some x -> f x

external now : unit -> float = "unix_time"

let limit = 10

let () = printf "%d\n" limit
