/*
 * Copyright 2020 Example. Licensed under the Apache licence.
 */
package com.example

import groovy.transform.CompileStatic

/**
 * Builds things.
 */
@CompileStatic
class Pipeline extends Base implements Runnable {
    private int count = 0
    static final String NAME = 'pipeline'

    Pipeline(int count) {
        this.count = count
    }

    /** Runs it. */
    @Override
    void run() {
        def log = { text ->
            println text
        }
        log(NAME)
    }

    static String describe(String name, int times = 1) {
        return name * times
    }
}

interface Step {
    void execute()
}

enum Stage { BUILD, TEST }

// Greets somebody.
def greet(String name) {
    println "hello ${name}"
}

def twice = { x -> x * 2 }

task build(type: Exec) {
    commandLine 'make'
}
