// SPDX-License-Identifier: MIT
pragma solidity ^0.8.0;

import "./Owned.sol";

/// @notice Thrown when the balance is too small.
error TooLittle(uint256 wanted, uint256 there);

struct Point { uint x; uint y; }

/// @title A purse that holds money for others.
/// @author Nobody
contract Purse is Owned {
    using Maths for uint256;

    mapping(address => uint256) public balances;

    enum State { Open, Closed }

    /// @notice Somebody paid in.
    event Paid(address indexed from, uint256 amount);

    /**
     * @dev Only while the purse is open.
     */
    modifier whenOpen() {
        require(state == State.Open);
        _;
    }

    /// @param limit Most that may be held.
    constructor(uint256 limit) Owned(msg.sender) {
        max = limit;
    }

    /// @notice Pays out to a person.
    /// @param to Who gets it.
    /// @return left What is left.
    function pay(address payable to, uint256 amount) external whenOpen returns (uint256 left) {
        if (balances[to] < amount) revert TooLittle(amount, balances[to]);
        to.transfer(amount);
        return balances[to] - amount;
    }

    function pay(address payable to) external {
        pay(to, 1);
    }

    receive() external payable {
        emit Paid(msg.sender, msg.value);
    }

    fallback() external {}
}

interface IPriced {
    /// @notice The price of a thing.
    function price(uint256 id) external view returns (uint256);
}

library Maths {
    function half(uint256 x) internal pure returns (uint256) {
        return x / 2;
    }
}

function free(uint x) pure returns (uint) {
    return x + 1;
}
