#!/usr/bin/perl
use strict;
use warnings;

package Shop::Cart;

our $VERSION = '1.0';

=head1 NAME

Shop::Cart - a cart that holds items

=cut

=head2 new

Makes an empty cart.

=cut

sub new {
    my ($class, %options) = @_;
    return bless { items => [], %options }, $class;
}

=head2 add($item)

Adds an item to the cart.

=cut

sub add {
    my ($self, $item) = @_;
    push @{ $self->{items} }, $item;
}

# The sum of all prices.
sub total {
    my $self = shift;
    my $sum = 0;
    $sum += $_->{price} for @{ $self->{items} };
    return $sum;
}

my $discount = sub {
    my ($price) = @_;
    return $price * 0.9;
};

package Shop::Item {
    sub price { return $_[0]{price} }
}

package main;

sub run(\@$) {
    print Shop::Cart->new->total, "\n";
}

run(@ARGV, 1);

__END__

=head1 FUNCTIONS

=head2 run(@names)

Runs the shop for some people.

=head1 AUTHOR

Nobody.
