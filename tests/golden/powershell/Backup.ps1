<#
.SYNOPSIS
Tools to save folders.
#>
param([string] $Root = '.')

Set-StrictMode -Version Latest

<#
.SYNOPSIS
Saves a folder to an archive.

.PARAMETER Path
The folder.
#>
function Save-Folder {
    [CmdletBinding()]
    param(
        [Parameter(Mandatory)] [string] $Path,
        [string] $Target = 'backup.zip'
    )
    process {
        Compress-Archive -Path $Path -DestinationPath $Target
    }
}

function Get-Size($Path) {
    <#
    .SYNOPSIS
    The size of a folder in bytes.
    #>
    (Get-ChildItem $Path -Recurse | Measure-Object Length -Sum).Sum
}

# Keeps only the newest archives.
filter Remove-Old {
    if ($_.Age -gt 7) { $_ }
}

enum Level {
    Low
    High
}

# A job that saves one folder.
class Job : Base {
    [string] $Path
    hidden [int] $Tries = 0

    Job([string] $path) {
        $this.Path = $path
    }

    # Runs the job once.
    [bool] Run([int] $limit) {
        $this.Tries++
        return $this.Tries -le $limit
    }

    static [Job] Parse([string] $text) { return [Job]::new($text) }
}

function script:Invoke-All { foreach ($job in $jobs) { $job.Run(3) } }

$onError = { param($e) Write-Warning $e }

Save-Folder -Path $Root
