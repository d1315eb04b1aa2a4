# Machines of the shop.

terraform {
  required_version = ">= 1.0"
}

# How many machines there are.
variable "machines" {
  type    = number
  default = 2
}

locals {
  name = "shop-${var.stage}"
}

/* The machine that serves pages. */
resource "aws_instance" "web" {
  count         = var.machines
  instance_type = "t3.small"

  provisioner "local-exec" {
    command = "echo ${self.id}"
  }
}

module "network" {
  source = "./network"
}

output "address" {
  value = aws_instance.web[0].public_ip
}
