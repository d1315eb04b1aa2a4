/*
 * Copyright 2020 Example. Licensed under the Apache 2.0 licence.
 */
package com.example.cart

import kotlin.math.max

const val LIMIT = 10

/**
 * A cart of items.
 *
 * @param T what is in it
 * @property name its name
 */
@Serializable
open class Cart<T : Item>(val name: String, private var size: Int = 0) : Base(name), Closeable {
    private val items = mutableListOf<T>()
    val count: Int
        get() = items.size

    init {
        require(size >= 0)
    }

    constructor(other: Cart<T>) : this(other.name) {
        items += other.items
    }

    /** Adds an item. */
    @Throws(IOException::class)
    suspend fun <R> add(item: T, block: (T) -> R): R {
        fun log(text: String) = println(text)
        val twice = { x: Int ->
            x * 2
        }
        log("add")
        return block(item)
    }

    override fun close() {}

    abstract fun total(): Int

    companion object {
        fun empty() = Cart<Item>("")
    }

    inner class Entry(val key: String) {
        fun matches(other: String) = key == other
    }
}

data class Point(val x: Int, val y: Int)

sealed interface Shape {
    fun area(): Double
    fun twice() = area() * 2
}

enum class Color(val rgb: Int) {
    RED(1), GREEN(2);

    fun hex() = rgb.toString(16)
}

object Registry {
    val all = mutableListOf<String>()
    fun register(name: String) { all += name }
}

/** Shouts. */
fun String.shout(): String = uppercase() + "!"

inline fun <reified T> cast(value: Any): T? = value as? T

val double: (Int) -> Int = { it * 2 }

fun main(args: Array<String>) {
    println(args.size)
}
