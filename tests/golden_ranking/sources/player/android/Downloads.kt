package player.android

import java.io.File

/** A song that is being fetched for listening without a network. */
data class Download(val trackId: String, val bytes: Long, val done: Long)

/** Keeps songs on the device. */
class OfflineStore(private val folder: File, private val quota: Long) {

    /** Save a song, and make room first if the device is full. */
    fun save(trackId: String, data: ByteArray) {
        makeRoom(data.size.toLong())
        File(folder, trackId).writeBytes(data)
    }

    /** Throw away the songs that were not heard for the longest time. */
    private fun makeRoom(needed: Long) {
        val oldest = folder.listFiles().orEmpty().sortedBy { it.lastModified() }.toMutableList()
        while (usedBytes() + needed > quota && oldest.isNotEmpty()) {
            oldest.removeAt(0).delete()
        }
    }

    fun usedBytes(): Long = folder.listFiles().orEmpty().sumOf { it.length() }
}

/** How much of a download is there, in percent. */
fun Download.progress(): Int = if (bytes == 0L) 0 else (100 * done / bytes).toInt()
