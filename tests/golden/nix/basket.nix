# A package set.
{ pkgs ? import <nixpkgs> { }, lib, ... }:

let
  # Adds one to a number.
  increment = x: x + 1;

  version = "1.0";

  /* Greets a person by name. */
  greet = { name, greeting ? "Hello" }: ''
    ${greeting}, ${name}
  '';
in
rec {
  inherit version;

  /** Adds two numbers. */
  add = a: b: a + b;

  # The package itself.
  package = pkgs.stdenv.mkDerivation {
    pname = "basket";
    inherit version;
    src = ./.;
    buildPhase = "make";
  };

  services.basket.enable = lib.mkDefault true;

  nested = {
    twice = f: x: f (f x);
  };
}
