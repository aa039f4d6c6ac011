; The installer for one user, without administrator rights. "setup.exe /S" asks
; nothing; "/D=C:\folder" as the last argument chooses the folder. Removing it
; leaves the user's connections (%AppData%\Jackfield) and the key in the
; credential store alone.
Target amd64-unicode
Unicode true
ManifestDPIAware true
ManifestSupportedOS Win10
RequestExecutionLevel user
SetCompressor /SOLID lzma
Name "Jackfield"
OutFile "${OUT}"
InstallDir "$LOCALAPPDATA\Programs\Jackfield"
InstallDirRegKey HKCU "Software\Jackfield" "Folder"
BrandingText "Jackfield ${NUMBER}"
VIProductVersion "${NUMBER}.0"
VIAddVersionKey /LANG=0 "ProductName" "Jackfield"
VIAddVersionKey /LANG=0 "FileDescription" "Jackfield setup"
VIAddVersionKey /LANG=0 "CompanyName" "The Jackfield authors"
VIAddVersionKey /LANG=0 "LegalCopyright" "The Jackfield authors, Apache License 2.0"
VIAddVersionKey /LANG=0 "FileVersion" "${NUMBER}"
VIAddVersionKey /LANG=0 "ProductVersion" "${NUMBER}"
!uninstfinalize '${SIGN} "%1"' = 0

!include MUI2.nsh
!define MUI_ICON jackfield.ico
!define MUI_UNICON jackfield.ico
!define MUI_FINISHPAGE_RUN "$INSTDIR\jackfield.exe"
!insertmacro MUI_PAGE_DIRECTORY
!insertmacro MUI_PAGE_INSTFILES
!insertmacro MUI_PAGE_FINISH
!insertmacro MUI_UNPAGE_CONFIRM
!insertmacro MUI_UNPAGE_INSTFILES
!insertmacro MUI_LANGUAGE English
!insertmacro MUI_LANGUAGE German
!insertmacro MUI_LANGUAGE French
!insertmacro MUI_LANGUAGE Spanish
!insertmacro MUI_LANGUAGE Portuguese
!insertmacro MUI_LANGUAGE PortugueseBR
!insertmacro MUI_LANGUAGE Japanese
!insertmacro MUI_LANGUAGE SimpChinese

LangString Running ${LANG_ENGLISH} "Jackfield is running. Close it, then choose Retry."
LangString Running ${LANG_GERMAN} "Jackfield läuft noch. Schließen Sie es und wählen Sie dann Wiederholen."
LangString Running ${LANG_FRENCH} "Jackfield est ouvert. Fermez-le, puis choisissez Réessayer."
LangString Running ${LANG_SPANISH} "Jackfield está abierto. Ciérrelo y elija Reintentar."
LangString Running ${LANG_PORTUGUESE} "O Jackfield está aberto. Feche-o e escolha Repetir."
LangString Running ${LANG_PORTUGUESEBR} "O Jackfield está aberto. Feche-o e escolha Repetir."
LangString Running ${LANG_JAPANESE} "Jackfield が実行中です。終了してから［再試行］を選んでください。"
LangString Running ${LANG_SIMPCHINESE} "Jackfield 正在运行。请先关闭它，然后选择“重试”。"

!define ENTRY "Software\Microsoft\Windows\CurrentVersion\Uninstall\Jackfield"
!define SHCNE_ASSOCCHANGED 0x08000000

; A program that runs cannot be written: wait until it is closed. A silent
; installer gives up with exit code 4 (in use) and has changed nothing.
!macro Closed UN
Function ${UN}Closed
  StrCpy $1 "jackfield.exe"
  again:
  IfFileExists "$INSTDIR\$1" 0 next
  ClearErrors
  FileOpen $0 "$INSTDIR\$1" a
  IfErrors busy
  FileClose $0
  next:
  StrCmp $1 "jf.exe" done
  StrCpy $1 "jf.exe"
  Goto again
  busy:
  MessageBox MB_RETRYCANCEL|MB_ICONEXCLAMATION "$(Running)" /SD IDCANCEL IDRETRY again
  SetErrorLevel 4
  Quit
  done:
FunctionEnd
!macroend
!insertmacro Closed ""
!insertmacro Closed "un."

Section
  Call Closed
  SetOutPath "$INSTDIR"
  File "windows\jackfield.exe"
  File "windows\jf.exe"
  File "windows\README.txt"
  File "windows\LICENSE.txt"
  File "windows\THIRD-PARTY.txt"
  WriteUninstaller "$INSTDIR\uninstall.exe"
  CreateShortcut "$SMPROGRAMS\Jackfield.lnk" "$INSTDIR\jackfield.exe"

  WriteRegStr HKCU "Software\Jackfield" "Folder" "$INSTDIR"
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\jackfield.exe" "" "$INSTDIR\jackfield.exe"
  WriteRegStr HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\jf.exe" "" "$INSTDIR\jf.exe"

  WriteRegStr HKCU "Software\Classes\Jackfield.Connections" "" "Jackfield connections"
  WriteRegStr HKCU "Software\Classes\Jackfield.Connections\DefaultIcon" "" "$INSTDIR\jackfield.exe,1"
  WriteRegStr HKCU "Software\Classes\Jackfield.Connections\shell\open\command" "" '"$INSTDIR\jackfield.exe" -- "%1"'
  WriteRegStr HKCU "Software\Classes\.jackfield" "" "Jackfield.Connections"
  WriteRegStr HKCU "Software\Classes\.jackfield" "Content Type" "application/x-jackfield"
  WriteRegStr HKCU "Software\Classes\.jackfield\OpenWithProgids" "Jackfield.Connections" ""
  WriteRegStr HKCU "Software\Classes\jackfield" "" "URL:Jackfield"
  WriteRegStr HKCU "Software\Classes\jackfield" "URL Protocol" ""
  WriteRegStr HKCU "Software\Classes\jackfield\DefaultIcon" "" "$INSTDIR\jackfield.exe,0"
  WriteRegStr HKCU "Software\Classes\jackfield\shell\open\command" "" '"$INSTDIR\jackfield.exe" -- "%1"'
  System::Call 'shell32::SHChangeNotify(i ${SHCNE_ASSOCCHANGED}, i 0, p 0, p 0)'

  WriteRegStr HKCU "${ENTRY}" "DisplayName" "Jackfield"
  WriteRegStr HKCU "${ENTRY}" "DisplayVersion" "${NUMBER}"
  WriteRegStr HKCU "${ENTRY}" "DisplayIcon" "$INSTDIR\jackfield.exe,0"
  WriteRegStr HKCU "${ENTRY}" "Publisher" "The Jackfield authors"
  WriteRegStr HKCU "${ENTRY}" "InstallLocation" "$INSTDIR"
  WriteRegStr HKCU "${ENTRY}" "UninstallString" '"$INSTDIR\uninstall.exe"'
  WriteRegStr HKCU "${ENTRY}" "QuietUninstallString" '"$INSTDIR\uninstall.exe" /S'
  WriteRegDWORD HKCU "${ENTRY}" "EstimatedSize" ${SIZE}
  WriteRegDWORD HKCU "${ENTRY}" "NoModify" 1
  WriteRegDWORD HKCU "${ENTRY}" "NoRepair" 1
SectionEnd

Section "Uninstall"
  Call un.Closed
  Delete "$INSTDIR\jackfield.exe"
  Delete "$INSTDIR\jf.exe"
  Delete "$INSTDIR\README.txt"
  Delete "$INSTDIR\LICENSE.txt"
  Delete "$INSTDIR\THIRD-PARTY.txt"
  Delete "$INSTDIR\uninstall.exe"
  RMDir "$INSTDIR"
  Delete "$SMPROGRAMS\Jackfield.lnk"
  DeleteRegKey HKCU "${ENTRY}"
  DeleteRegKey HKCU "Software\Jackfield"
  DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\jackfield.exe"
  DeleteRegKey HKCU "Software\Microsoft\Windows\CurrentVersion\App Paths\jf.exe"
  DeleteRegKey HKCU "Software\Classes\Jackfield.Connections"
  DeleteRegKey HKCU "Software\Classes\jackfield"
  DeleteRegValue HKCU "Software\Classes\.jackfield\OpenWithProgids" "Jackfield.Connections"
  ; Another program may have taken the ending since.
  ReadRegStr $0 HKCU "Software\Classes\.jackfield" ""
  StrCmp $0 "Jackfield.Connections" 0 +2
  DeleteRegKey HKCU "Software\Classes\.jackfield"
  System::Call 'shell32::SHChangeNotify(i ${SHCNE_ASSOCCHANGED}, i 0, p 0, p 0)'
SectionEnd
