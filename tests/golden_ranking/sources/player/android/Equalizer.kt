package player.android

/** Loudness of ten frequency bands, in decibels. */
class Equalizer {
    private val gains = FloatArray(10)

    /** Raise or lower one band; the limit is twelve decibels. */
    fun setGain(band: Int, decibels: Float) {
        gains[band] = decibels.coerceIn(-12f, 12f)
    }

    fun reset() = gains.fill(0f)
}
