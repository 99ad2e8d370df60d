@{
    RootModule           = 'CustomerKey.psm1'
    ModuleVersion        = '0.1.0'
    GUID                 = '6c1d3f52-0f0d-4a55-9a2e-2f6d1f2b8c47'
    Author               = 'The customerkey authors'
    Description          = 'Data encryption policies, key health, recovery and purges of a customerkey service.'
    PowerShellVersion    = '7.3'
    CompatiblePSEditions = @('Core')
    FunctionsToExport    = @('Connect-CustomerKey', 'Disconnect-CustomerKey', 'Set-DataEncryptionPolicy', 'Get-Mailbox', 'Set-Mailbox')
    CmdletsToExport      = @()
    VariablesToExport    = @()
    AliasesToExport      = @()
}
